import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { doctorPicture } from './doctor.ts'
import { lightsPicture } from './lights.ts'
import { screenPicture } from './screen.ts'

/** The pictures of the technician's guide that show what the agent shows. */
export const pictures: Readonly<Record<string, () => string>> = {
  'lights.svg': lightsPicture,
  'doctor.svg': doctorPicture,
  'screen.svg': screenPicture,
}
export const pictureFolder = join(import.meta.dirname, '../../docs/pictures')

/** `node test/guide/draw.ts`, after patterns or words changed. */
if (import.meta.main)
  for (const [name, draw] of Object.entries(pictures)) writeFileSync(join(pictureFolder, name), draw())
