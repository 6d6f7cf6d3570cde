import { execFileSync } from 'node:child_process'
import { existsSync, lstatSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { packageContents } from '../../../provisioning/deb/contents.ts'
import { pack } from '../../../provisioning/deb/pack.ts'

const asRoot = process.getuid?.() === 0 ? false : 'only root installs packages'

t.test(
  'dpkg takes the package, keeps what an administrator disabled, and leaves nothing',
  { skip: asRoot },
  async (t) => {
    const folder = t.testdir({ node: '#!/bin/sh\n', 'agent.mjs': '' })
    const at = (path: string) => join(folder, path)
    const root = at('root')
    const inRoot = (path: string) => join(root, path)
    mkdirSync(inRoot('var/lib/dpkg/info'), { recursive: true })
    mkdirSync(inRoot('var/lib/dpkg/updates'))
    for (const name of ['status', 'available']) writeFileSync(inRoot(`var/lib/dpkg/${name}`), '')

    // Scripts run on this machine with DPKG_ROOT, as in any making of a root that is not entered.
    const flags = [
      `--root=${root}`,
      '--force-script-chrootless',
      '--force-depends',
      '--force-architecture',
      '--log=/dev/null',
    ]
    const dpkg = (...args: string[]) => execFileSync('dpkg', [...flags, ...args], { encoding: 'utf8', stdio: 'pipe' })
    const make = async (version: string) => {
      const node = { binary: at('node'), license: '' }
      const entries = packageContents({
        version,
        epoch: 0,
        bundle: { 'agent.mjs': at('agent.mjs') },
        node,
        thirdParty: '',
      })
      await pack(at(`${version}.deb`), { entries, version, architecture: 'amd64', epoch: 0, compression: 'none' })
      return at(`${version}.deb`)
    }
    const wanted = inRoot('etc/systemd/system/multi-user.target.wants/marshlight-agent.service')
    const state = inRoot('var/lib/marshlight-agent')

    dpkg('--install', await make('1.0.0'))
    t.equal(dpkg('--verify', 'marshlight-agent'), '', 'every file is as its sum says')
    t.ok(lstatSync(wanted).isSymbolicLink(), 'it starts with the machine')
    t.equal(statSync(state).mode & 0o777, 0o700)
    writeFileSync(join(state, 'spool'), 'records')

    // What `systemctl disable` does.
    rmSync(wanted)
    dpkg('--install', await make('1.1.0'))
    t.match(dpkg('--status', 'marshlight-agent'), /^Version: 1\.1\.0$/m)
    t.notOk(lstatSync(wanted, { throwIfNoEntry: false }), 'disabled, it stays so')

    mkdirSync(inRoot('etc/apt/apt.conf.d'), { recursive: true })
    writeFileSync(inRoot('etc/apt/apt.conf.d/52marshlight-security-updates'), 'as the installer puts it')
    dpkg('--remove', 'marshlight-agent')
    t.notOk(existsSync(inRoot('usr/bin/marshlight-agent')))
    t.ok(existsSync(join(state, 'spool')), 'removing keeps what was not sent yet')
    dpkg('--purge', 'marshlight-agent')
    t.equal(execFileSync('find', [root, '-name', '*marshlight*'], { encoding: 'utf8' }), '')
  },
)
