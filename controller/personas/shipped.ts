import almalinux8 from './catalogue/almalinux-8.json' with { type: 'json' }
import almalinux9 from './catalogue/almalinux-9.json' with { type: 'json' }
import cameraDvr from './catalogue/camera-dvr.json' with { type: 'json' }
import databaseServerDebian12 from './catalogue/database-server-debian-12.json' with { type: 'json' }
import databaseServerRocky9 from './catalogue/database-server-rocky-9.json' with { type: 'json' }
import databaseServerUbuntu2204 from './catalogue/database-server-ubuntu-22.04.json' with { type: 'json' }
import debian11 from './catalogue/debian-11.json' with { type: 'json' }
import debian12 from './catalogue/debian-12.json' with { type: 'json' }
import nasDsm7 from './catalogue/nas-dsm-7.json' with { type: 'json' }
import openwrt from './catalogue/openwrt.json' with { type: 'json' }
import printerLaserjet from './catalogue/printer-laserjet.json' with { type: 'json' }
import raspberryPiOs12 from './catalogue/raspberry-pi-os-12.json' with { type: 'json' }
import rocky8 from './catalogue/rocky-8.json' with { type: 'json' }
import rocky9 from './catalogue/rocky-9.json' with { type: 'json' }
import switchCatalyst from './catalogue/switch-catalyst.json' with { type: 'json' }
import switchUnifi from './catalogue/switch-unifi.json' with { type: 'json' }
import ubuntu2004 from './catalogue/ubuntu-20.04.json' with { type: 'json' }
import ubuntu2204 from './catalogue/ubuntu-22.04.json' with { type: 'json' }
import ubuntu2404 from './catalogue/ubuntu-24.04.json' with { type: 'json' }
import webServerDebian12 from './catalogue/web-server-debian-12.json' with { type: 'json' }
import webServerRocky9 from './catalogue/web-server-rocky-9.json' with { type: 'json' }
import webServerUbuntu2204 from './catalogue/web-server-ubuntu-22.04.json' with { type: 'json' }
import windows10 from './catalogue/windows-10.json' with { type: 'json' }
import windowsServer2019 from './catalogue/windows-server-2019.json' with { type: 'json' }
import windowsServer2022 from './catalogue/windows-server-2022.json' with { type: 'json' }
import debian11Packages from './data/packages/debian-11.json' with { type: 'json' }
import debian12Packages from './data/packages/debian-12.json' with { type: 'json' }
import el8Packages from './data/packages/el8.json' with { type: 'json' }
import el9Packages from './data/packages/el9.json' with { type: 'json' }
import openwrt2305Packages from './data/packages/openwrt-23.05.json' with { type: 'json' }
import ubuntu2004Packages from './data/packages/ubuntu-20.04.json' with { type: 'json' }
import ubuntu2204Packages from './data/packages/ubuntu-22.04.json' with { type: 'json' }
import ubuntu2404Packages from './data/packages/ubuntu-24.04.json' with { type: 'json' }

/** The families that come with the program, as their files have them; a file may extend one that stands before it. */
export const shippedFamilies: readonly unknown[] = [
  debian12,
  debian11,
  ubuntu2404,
  ubuntu2204,
  ubuntu2004,
  rocky9,
  rocky8,
  almalinux9,
  almalinux8,
  raspberryPiOs12,
  openwrt,
  cameraDvr,
  nasDsm7,
  printerLaserjet,
  switchCatalyst,
  switchUnifi,
  windowsServer2019,
  windowsServer2022,
  windows10,
  webServerDebian12,
  databaseServerDebian12,
  webServerUbuntu2204,
  databaseServerUbuntu2204,
  webServerRocky9,
  databaseServerRocky9,
]

export const shippedPackages: Readonly<Record<string, unknown>> = {
  'debian-12': debian12Packages,
  'debian-11': debian11Packages,
  'ubuntu-24.04': ubuntu2404Packages,
  'ubuntu-22.04': ubuntu2204Packages,
  'ubuntu-20.04': ubuntu2004Packages,
  el9: el9Packages,
  el8: el8Packages,
  'openwrt-23.05': openwrt2305Packages,
}
