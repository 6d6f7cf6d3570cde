import { createHash } from 'node:crypto'
import { forTerminal } from '../../shared/terminal.ts'
import type { Known, View } from './state.ts'
import { facts } from './words.ts'

const style = `
body{font:1.1rem/1.5 system-ui,sans-serif;max-width:42rem;margin:2rem auto;padding:0 1rem;color:#1b1f23;background:#fff}
h1{font-size:1.5rem;line-height:1.3;margin:.3rem 0 1rem;padding:.8rem 1rem;border-left:.5rem solid #b26b00;background:#fff6e5}
h1.working,h1.waiting-for-approval{border-color:#1a7f37;background:#e9f7ec}
h1.starting,h1.updating{border-color:#57606a;background:#f2f4f6}
.next{font-weight:600}
.brand{color:#57606a;letter-spacing:.08em;font-size:.9rem;margin:0}
dl{display:grid;grid-template-columns:8rem 1fr;gap:.2rem 1rem;margin:1.5rem 0}
dt{color:#57606a}dd{margin:0;overflow-wrap:anywhere}
label{display:block;margin:1rem 0 .3rem}input,button{font:inherit;padding:.5rem;max-width:100%;box-sizing:border-box}
input{width:100%}button{margin-top:1rem;padding:.5rem 1.5rem}.wrong{color:#b3261e;font-weight:600}
li{margin:.4rem 0}p{overflow-wrap:anywhere}
@media(prefers-color-scheme:dark){body{background:#0d1117;color:#e6edf3}h1{color:#1b1f23}}
`
/** No script, no frame, nothing from elsewhere; the style is this one, by its hash. What is typed goes to this page alone. */
export const pageHeaders: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'`,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
}

/** The state as a page that comes anew by itself. Whatever came from outside is escaped, for HTML and for the eye. */
export function pageHtml(known: Known, view: View): string {
  const findings = (known.findings ?? []).slice(0, 20)
  return `${headOf(view.title, '<meta http-equiv="refresh" content="10">')}
<h1 class="${view.state}">${html(view.title)}</h1>
${view.why === undefined ? '' : `<p>${html(view.why)}</p>`}
<p class="next">${html(view.next)}</p>
${known.takesCode ? '<p><a href="/code">Type the code of an invitation</a></p>' : ''}
<dl>${facts(known)
    .filter(([label]) => label !== 'Page')
    .map(([label, value]) => `<dt>${label}</dt><dd>${html(value)}</dd>`)
    .join('')}</dl>
${known.stick === undefined ? '' : `<p>Stick: ${html(known.stick)}</p>`}
${
  findings.length === 0
    ? ''
    : `<h2>What the box found</h2><ul>${findings
        .map(({ name, detail, next }) => `<li>${html(name)}: ${html(detail)}${next ? `<br>${html(next)}` : ''}</li>`)
        .join('')}</ul>`
}
</body></html>
`
}

/** Where a code is typed. It does not come anew by itself: somebody is typing. */
export function codeHtml({ controller, wrong }: { controller: string; wrong?: string | undefined }): string {
  return `${headOf('Type the code')}
<h1 class="starting">Type the code of your invitation</h1>
${wrong === undefined ? '' : `<p class="wrong">${html(wrong)}</p>`}
<form method="post" action="/code" autocomplete="off">
<label for="at">Controller: its address, as the centre told you</label>
<input id="at" name="controller" maxlength="260" value="${html(controller)}" placeholder="10.0.0.5:8884">
<label for="code">Code: five groups of five; capital or small letters</label>
<input id="code" name="code" maxlength="400" required autocapitalize="characters" spellcheck="false" placeholder="XXXXX-XXXXX-XXXXX-XXXXX-XXXXX">
<button>Enrol this box</button>
</form>
<p><a href="/">Back</a></p>
</body></html>
`
}

/** The box looks every few seconds whether somebody typed one. */
export const takenHtml = (): string => `${headOf('The code is tried', '<meta http-equiv="refresh" content="10;url=/">')}
<h1 class="starting">The code is tried</h1>
<p class="next">Wait: the state of the box comes by itself.</p>
<p><a href="/">Look now</a></p>
</body></html>
`

const headOf = (title: string, more = ''): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8">${more}
<meta name="viewport" content="width=device-width,initial-scale=1"><title>${html(title)}</title>
<style>${style}</style></head><body>
<p class="brand">MARSHLIGHT</p>`

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
const html = (text: string): string => forTerminal(text, 1000).replace(/[&<>"']/g, (one) => entities[one] ?? one)
