import type { Locale, Locales } from './data-files.ts'

/** What an administrator set, or the controller's own. */
export type Place = { locale: string; timezone: string }

export type FoundPlace = Place & { language: string; words: Locale; because: string }

/**
 * Language and time zone of a persona: by the country that the segment's domain names, else as the controller is set. A
 * set time zone is kept where it lies in that country.
 */
export function placeOf(locales: Locales, domain: string | undefined, set: Place): FoundPlace {
  const tld = domain?.split('.').at(-1)
  const byDomain = Object.entries(locales).find(([, { tlds }]) => tld !== undefined && tlds.includes(tld))
  const language = byDomain?.[0] ?? set.locale.split('.')[0] ?? 'en_US'
  const words = locales[language] ?? locales.en_US
  if (!words) throw new Error('the catalogue has no words of en_US')
  const [zone = 'Etc/UTC'] = words.zones
  const timezone = byDomain && !words.zones.includes(set.timezone) ? zone : set.timezone
  return {
    language,
    words,
    locale: `${language}.UTF-8`,
    timezone,
    because: byDomain
      ? `the domain of the segment ends in .${tld}`
      : `the controller is set to ${set.locale}, ${set.timezone}`,
  }
}
