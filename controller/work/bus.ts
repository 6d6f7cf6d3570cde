import { EventEmitter } from 'node:events'
import type { Bus } from './port.ts'

/** The bus of one process. A listener that throws is the emitter's caller's problem: listeners catch their own errors. */
export function makeBus(): Bus {
  const emitter = new EventEmitter().setMaxListeners(0)
  return {
    emit: (event) => void emitter.emit(event.name, event),
    on: (name, listener) => {
      emitter.on(name, listener)
      return () => void emitter.off(name, listener)
    },
  }
}
