import t from 'tap'
import { createBody, macPerEndpoint, networkCreateBody } from '../../../agent/engine/create-body.ts'
import { observedContainer, observedEvent } from '../../../agent/engine/observed.ts'
import type { ContainerSpec } from '../../../agent/engine/port.ts'

const spec: ContainerSpec = {
  name: 'pod',
  image: 'pod:test',
  labels: {},
  env: { A: '1' },
  network: { kind: 'macvlan', network: 'net', ip: '198.18.52.20', mac: '02:00:5e:10:00:01' },
  mounts: [],
  tmpfs: {},
  sysctls: {},
  readOnlyRoot: true,
  capDrop: ['ALL'],
  capAdd: [],
  memoryMb: 64,
  pids: 16,
  cpus: 0.5,
}

t.test('the MAC stands where the version of the engine expects it', async (t) => {
  for (const [version, perEndpoint] of [
    ['1.41', false],
    ['1.43', false],
    ['1.44', true],
    ['1.51', true],
    ['2.0', true],
  ] as const) {
    const body = createBody(spec, version)
    t.equal(macPerEndpoint(version), perEndpoint, version)
    t.equal(body.MacAddress, perEndpoint ? undefined : '02:00:5e:10:00:01', version)
    t.equal(
      body.NetworkingConfig?.EndpointsConfig?.net?.MacAddress,
      perEndpoint ? '02:00:5e:10:00:01' : undefined,
      version,
    )
  }
})

t.test('no decoy gets a route where the gateway is unknown, and none the address of the card', async (t) => {
  const network = { name: 'n', cidr: '198.18.52.0/24', address: '198.18.52.2', parent: 'eth7', labels: {} }
  t.match(networkCreateBody(network), { Internal: true, IPAM: { Config: [{ Gateway: '198.18.52.2' }] } })
  t.match(networkCreateBody({ ...network, gateway: '198.18.52.1' }), {
    Internal: false,
    IPAM: { Config: [{ Gateway: '198.18.52.1', AuxiliaryAddresses: { appliance: '198.18.52.2' } }] },
  })
})

t.test('answers of the engine are taken apart by schema, anything else is refused', async (t) => {
  t.throws(() => observedContainer({ Id: 7 }))
  t.equal(observedEvent('{"Action":"start"'), undefined)
  t.equal(observedEvent('{"Action":"pull","Actor":{"ID":"x","Attributes":{}}}'), undefined)
  t.match(observedEvent('{"Action":"die","Actor":{"ID":"x","Attributes":{"exitCode":"3"}}}'), {
    kind: 'die',
    exitCode: 3,
  })
})
