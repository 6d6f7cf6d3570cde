import t from 'tap'
import { targetsFor } from '../../../agent/safety/targets.ts'
import { podTrouble, verdictOf } from '../../../agent/safety/verdict.ts'

t.test('only a full account of tries that failed is safe', async (t) => {
  t.same(verdictOf(0, 'noise\n{"tried": 30, "succeeded": []}\n'), { is: 'safe', tried: 30 })
  t.same(verdictOf(0, '{"tried": 30, "succeeded": ["mount: x"]}'), { is: 'unsafe', because: ['mount: x'] })
  t.match(verdictOf(137, '{"tried": 30, "succeeded": []}'), { is: 'unknown' })
  t.match(verdictOf(0, '{"tried": 0, "succeeded": []}'), { is: 'unknown' }, 'nothing was tried')
  t.match(verdictOf(0, 'Traceback'), { is: 'unknown' })
})

t.test('a pod’s process holds nothing', async (t) => {
  const none = '0000000000000000'
  const status = (eff: string, uid = '65534', privileges = '1') =>
    `Name:\tsleep\nUid:\t${uid}\t${uid}\t${uid}\t${uid}\nCapInh:\t${none}\nCapPrm:\t${none}\nCapEff:\t${eff}\nCapBnd:\t${none}\nCapAmb:\t${none}\nNoNewPrivs:\t${privileges}\n`
  t.same(podTrouble(status(none)), [])
  t.equal(podTrouble(status('0000000000001000')).length, 1)
  t.equal(podTrouble(status(none, '0', '0')).length, 2)
  t.not(podTrouble('').length, 0, 'nothing to read is no proof')
})

t.test('nothing is tried that the plan allows', async (t) => {
  const decoy = { ip: '198.18.1.20', gateway: '198.18.1.1' }
  t.same(targetsFor({ ...decoy, egress: [] }), [
    ['198.19.255.254', 9],
    ['198.18.1.1', 9],
  ])
  const egress = [{ cidr: '0.0.0.0/0', port: 9 }]
  t.same(targetsFor({ ip: decoy.ip, egress }), [['198.19.255.254', 60_999]])
})
