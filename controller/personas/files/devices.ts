import { pick } from '../../../shared/random.ts'
import { daysAgo, digits, hex, honeyIn, type Maker, root, write } from './context.ts'
import { filled } from './documents.ts'

/** A router's settings, with the key of its radio network and the log-in to its provider. */
export const openwrt: Maker = (sheet) => {
  const { input, random } = sheet
  const owner = root(sheet)
  const wireless = '/etc/config/wireless'
  const network = '/etc/config/network'
  const ssid = `${pick(random, input.words.companies).split(' ')[0]}-${pick(random, ['WLAN', 'office', 'guest'])}`
  const key = honeyIn(sheet, 'wifi', ssid.slice(0, 64), wireless)
  const line = `${digits(random, 10)}@dsl.${input.domain}`
  const provider = honeyIn(sheet, 'pppoe', line, network)
  write(
    sheet,
    '/etc/config/system',
    owner,
    0o644,
    `\nconfig system\n\toption hostname '${input.hostname}'\n\toption timezone 'UTC'\n\toption ttylogin '0'\n\toption log_size '64'\n\nconfig timeserver 'ntp'\n\toption enabled '1'\n\tlist server '0.openwrt.pool.ntp.org'\n\tlist server '1.openwrt.pool.ntp.org'\n`,
  )
  write(
    sheet,
    network,
    owner,
    0o600,
    `\nconfig interface 'loopback'\n\toption device 'lo'\n\toption proto 'static'\n\toption ipaddr '127.0.0.1'\n\toption netmask '255.0.0.0'\n\nconfig interface 'wan'\n\toption device 'wan'\n\toption proto 'pppoe'\n\toption username '${line}'\n\toption password '${provider}'\n`,
  )
  write(
    sheet,
    wireless,
    owner,
    0o600,
    `\nconfig wifi-device 'radio0'\n\toption type 'mac80211'\n\toption channel '${pick(random, [1, 6, 11])}'\n\toption band '2g'\n\nconfig wifi-iface 'default_radio0'\n\toption device 'radio0'\n\toption network 'lan'\n\toption mode 'ap'\n\toption ssid '${ssid}'\n\toption encryption 'psk2'\n\toption key '${key}'\n`,
  )
  write(
    sheet,
    '/etc/config/dropbear',
    owner,
    0o600,
    `\nconfig dropbear\n\toption PasswordAuth 'on'\n\toption RootPasswordAuth 'on'\n\toption Port '22'\n`,
  )
}

/** A recorder's settings: the account its pictures are sent to. */
export const camera: Maker = (sheet) => {
  const { input, random } = sheet
  const path = '/mnt/mtd/Config/ftp.ini'
  const password = honeyIn(sheet, 'ftp', 'camera', path)
  write(
    sheet,
    path,
    root(sheet),
    0o644,
    `[FTP]\nEnable=1\nServer=files.${input.domain}\nPort=21\nUser=camera\nPassword=${password}\nPath=/cam/${input.hostname}\n`,
  )
  write(
    sheet,
    '/mnt/mtd/Config/device.ini',
    root(sheet),
    0o644,
    `[Device]\nName=${input.hostname}\nSerial=${input.serial}\nChannels=${pick(random, [4, 8, 16])}\nId=${hex(random, 16)}\n`,
  )
}

/** A storage's shares: a scan of a contract's folder, a key file for another storage. */
export const nas: Maker = (sheet) => {
  const { input, random } = sheet
  const owner = root(sheet)
  const path = '/volume1/homes/admin/backup-job.json'
  const password = honeyIn(sheet, 'smb', 'backup', path)
  write(
    sheet,
    path,
    owner,
    0o600,
    `${JSON.stringify({ name: 'offsite', target: `nas02.${input.domain}`, user: 'backup', password, keep: 14, shares: ['homes', 'data'] }, null, 2)}\n`,
  )
  write(
    sheet,
    '/etc.defaults/VERSION',
    owner,
    0o644,
    `majorversion="7"\nminorversion="1"\nproductversion="7.1.1"\nbuildphase="GM"\nbuildnumber="42962"\n`,
  )
  write(
    sheet,
    `/volume1/data/${pick(random, ['contracts', 'archive', 'projects'])}/readme.txt`,
    owner,
    0o644,
    `${pick(random, input.words.companies)}\n`,
  )
  for (let i = 0; i < 3; i++) {
    const [name, text] = pick(random, input.words.documents)
    const day = daysAgo(input.now, 5 + random() * 300)
    write(sheet, `/volume1/data/${filled(sheet, name, day)}`, owner, 0o644, filled(sheet, text, day))
  }
  // What a printer's helper leaves where the scanner finds it, and everybody else too.
  const scanner = '/volume1/data/scan/scanner.txt'
  const secret = honeyIn(sheet, 'smb', 'scan', scanner)
  write(sheet, scanner, owner, 0o644, `\\\\${input.hostname}\\data\\scan\nscan / ${secret}\n`)
}

/** A Windows host's script for a mapped drive, and the settings of a service. */
export const windows: Maker = (sheet) => {
  const { input, random } = sheet
  const owner = root(sheet)
  const path = 'C:\\Scripts\\map-drives.cmd'
  const user = pick(random, ['svc_backup', 'svc_files', 'svc_scan'])
  const password = honeyIn(sheet, 'smb', user, path)
  write(
    sheet,
    path,
    owner,
    0o644,
    `@echo off\r\nnet use Z: \\\\files.${input.domain}\\data /user:${user} ${password} /persistent:yes\r\n`,
  )
}
