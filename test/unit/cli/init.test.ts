import t from 'tap'
import { configOf } from '../../../controller/cli/commands/init.ts'
import { controllerConfig } from '../../../controller/config.ts'

const hosts = (config: ReturnType<typeof configOf>) => {
  const { mqtt, enrol, api } = controllerConfig.parse(config)
  return [mqtt.host, enrol.host, api.host, api.port]
}

t.test('a controller made for others is bound for them, its API as well as the ports of agents', async (t) => {
  t.same(hosts(configOf({ host: '10.0.0.5', apiPort: 8885 })), ['0.0.0.0', '0.0.0.0', '0.0.0.0', 8885])
  t.same(hosts(configOf({ host: 'marsh.example' })), ['0.0.0.0', '0.0.0.0', '0.0.0.0', undefined], 'off without a port')
  t.same(hosts(configOf({ host: 'marsh.example', listen: '10.0.0.5' })), [
    '10.0.0.5',
    '10.0.0.5',
    '10.0.0.5',
    undefined,
  ])
})

t.test('one for this machine alone is bound to loopback, and says nothing that is the default', async (t) => {
  t.same(configOf({ host: '127.0.0.1' }), { publicHost: '127.0.0.1' })
  t.same(hosts(configOf({ host: 'localhost', apiPort: 8885 })), ['127.0.0.1', '127.0.0.1', '127.0.0.1', 8885])
})
