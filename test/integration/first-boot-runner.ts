import { type Box, boot } from './first-boot-box.ts'

/** The first boot of a box in a process of its own, which kills itself, as power does, at a point of which it has had `lives`. */
const { box, lives } = JSON.parse(process.argv[2] ?? '{}') as { box: Box; lives: number }
let points = 0
await boot(box, {
  async at() {
    if (++points > lives) process.kill(process.pid, 'SIGKILL')
  },
}).ended
