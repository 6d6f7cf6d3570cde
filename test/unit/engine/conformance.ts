import type { Test } from 'tap'
import type { ContainerSpec, Engine, EngineEvent } from '../../../agent/engine/port.ts'

export type Place = {
  engine: Engine
  agent: string
  /** Begins every name, so that runs beside each other do not meet. */
  prefix: string
  image: string
  parent: string
  cidr: string
  address: string
  ip: string
}

/** What every engine keeps to; runs on the double and on Docker. */
export function engineConformance(t: Test, name: string, make: (t: Test) => Promise<Place>) {
  const network = ({ prefix }: Place) => `${prefix}-net`
  const podSpec = (place: Place, ip = place.ip): ContainerSpec => ({
    name: `${place.prefix}-pod`,
    image: place.image,
    labels: { 'marshlight.agent': place.agent, 'marshlight.kind': 'pod' },
    hostname: 'attic-nas',
    env: {},
    network: { kind: 'macvlan', network: network(place), ip, mac: '02:00:5e:10:00:01' },
    mounts: [],
    tmpfs: {},
    sysctls: { 'net.ipv4.ip_default_ttl': '65' },
    readOnlyRoot: true,
    capDrop: ['ALL'],
    capAdd: [],
    memoryMb: 32,
    pids: 16,
    cpus: 0.5,
    command: ['sleep', '600'],
  })
  const serviceSpec = (place: Place): ContainerSpec => {
    const { hostname: _, ...pod } = podSpec(place)
    return {
      ...pod,
      name: `${place.prefix}-svc`,
      labels: { 'marshlight.agent': place.agent, 'marshlight.kind': 'service' },
      network: { kind: 'pod', pod: `${place.prefix}-pod` },
      sysctls: {},
    }
  }
  const ensureNetwork = (place: Place) =>
    place.engine.createMacvlan({
      name: network(place),
      cidr: place.cidr,
      address: place.address,
      parent: place.parent,
      labels: { 'marshlight.agent': place.agent },
    })
  const named = async (place: Place, suffix: string) =>
    (await place.engine.containers()).find(({ name }) => name === `${place.prefix}-${suffix}`)

  t.test(`${name}: a pod gets its address and MAC, and a service may be made before the pod runs`, async (t) => {
    const place = await make(t)
    const { engine } = place
    await ensureNetwork(place)
    const [service] = await Promise.all([engine.create(serviceSpec(place)), engine.create(podSpec(place))])
    t.match(await named(place, 'pod'), { running: false, exitCode: undefined, startedAt: undefined })
    await engine.start(`${place.prefix}-pod`)
    await engine.start(service)
    await engine.start(service)
    t.match(await named(place, 'pod'), { running: true, ip: place.ip, mac: '02:00:5e:10:00:01', pid: Number })
    t.match(await named(place, 'svc'), { running: true, labels: { 'marshlight.kind': 'service' } })
    t.match(
      (await engine.networks()).find((one) => one.name === network(place)),
      { cidr: place.cidr, parent: place.parent, labels: { 'marshlight.agent': place.agent } },
    )
  })

  t.test(`${name}: the end of a container is told with its exit code, and removal leaves nothing`, async (t) => {
    const place = await make(t)
    const { engine } = place
    await ensureNetwork(place)
    await engine.create(podSpec(place))
    const seen: EngineEvent[] = []
    const stop = new AbortController()
    t.teardown(() => stop.abort())
    let died = () => {}
    const death = new Promise<void>((resolve) => {
      died = resolve
    })
    await new Promise<void>((connected) => {
      const onEvent = (event: EngineEvent) => {
        seen.push(event)
        if (event.kind === 'die') died()
      }
      engine.watch(onEvent, connected, stop.signal).catch(t.fail)
    })
    await engine.start(`${place.prefix}-pod`)
    await engine.stop(`${place.prefix}-pod`, 0)
    await death
    t.match(seen, [{ kind: 'start' }, { kind: 'die', exitCode: 137, labels: { 'marshlight.kind': 'pod' } }])
    t.match(await named(place, 'pod'), { running: false, exitCode: 137, finishedAt: String })
    await engine.stop(`${place.prefix}-pod`, 0)
    await engine.remove(`${place.prefix}-pod`)
    await engine.remove(`${place.prefix}-pod`)
    t.equal(await named(place, 'pod'), undefined)
    await engine.removeNetwork(network(place))
    await engine.removeNetwork(network(place))
    t.notOk((await engine.networks()).some((one) => one.name === network(place)))
  })

  t.test(`${name}: a tag means what it was given, and goes`, async (t) => {
    const { engine, image, prefix } = await make(t)
    const tag = `marshlight/${prefix}:tag-1.2_3`
    t.equal(await engine.imageId(tag), undefined)
    const known = await engine.imageId(image)
    await engine.tagImage(known ?? '', tag)
    await engine.tagImage(image, tag)
    t.equal(await engine.imageId(tag), known)
    await engine.untagImage(tag)
    await engine.untagImage(tag)
    t.equal(await engine.imageId(tag), undefined)
    t.equal(await engine.imageId(image), known, 'the image stays for its other tags')
    await t.rejects(engine.tagImage('marshlight/no-such-image:ever', tag), { code: 'COMMAND_FAILED' })
  })

  t.test(`${name}: faults are errors of the registry`, async (t) => {
    const place = await make(t)
    const { engine } = place
    t.equal(await engine.hasImage('marshlight/no-such-image:ever'), false)
    t.equal(await engine.hasImage(place.image), true)
    await t.rejects(engine.create({ ...podSpec(place), image: 'marshlight/no-such-image:ever' }), {
      code: 'IMAGE_MISSING',
    })
    await ensureNetwork(place)
    await t.rejects(
      engine.createMacvlan({
        name: `${place.prefix}-second`,
        cidr: place.cidr,
        address: place.address,
        parent: place.parent,
        labels: { 'marshlight.agent': place.agent },
      }),
      { code: 'COMMAND_FAILED' },
      'a card has one network',
    )
    await t.rejects(engine.start(`${place.prefix}-nothing`), { code: 'COMMAND_FAILED' })
    await engine.create(serviceSpec(place))
    await t.rejects(engine.start(`${place.prefix}-svc`), { code: 'COMMAND_FAILED' }, 'the pod is not there')
  })
}
