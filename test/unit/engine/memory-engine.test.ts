import t from 'tap'
import { makeMemoryEngine } from '../../../agent/engine/memory-engine.ts'
import { engineConformance } from './conformance.ts'

engineConformance(t, 'in memory', async () => {
  const engine = makeMemoryEngine('agent-1')
  engine.images.add('pod:test')
  return {
    engine,
    agent: 'agent-1',
    prefix: 'conformance',
    image: 'pod:test',
    parent: 'eth7',
    cidr: '198.18.52.0/24',
    address: '198.18.52.2',
    ip: '198.18.52.20',
  }
})
