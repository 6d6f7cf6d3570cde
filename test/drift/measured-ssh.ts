import { once } from 'node:events'
import ssh2, { type ClientChannel } from 'ssh2'

/** One answer to a command: when it was whole, and how it ended. `status` is undefined where the request was refused, and `why`. */
export type Measured = { ms: number; status: number | undefined; out: string; why?: string }

const mostTries = 20

/** A client with one connection that asks one thing after another and measures each answer. */
export class MeasuringClient {
  private client: ssh2.Client
  private readonly again: () => Promise<ssh2.Client>

  private constructor(client: ssh2.Client, again: () => Promise<ssh2.Client>) {
    this.client = client
    this.again = again
  }

  /** Tries again where the connection is not taken: a share of them may be refused. */
  static async open(host: string, user: string, password: string): Promise<MeasuringClient> {
    const connect = async (tries = 1): Promise<ssh2.Client> => {
      const client = new ssh2.Client()
      try {
        const ready = once(client, 'ready')
        client.connect({ host, username: user, password, readyTimeout: 10_000 })
        await ready
        // Otherwise the client's own wait for acknowledgements is most of what is measured.
        client.setNoDelay(true)
      } catch (error) {
        if (tries === mostTries) throw error
        return connect(tries + 1)
      }
      // A reset is for whoever asks to see, not for the process.
      client.on('error', () => undefined)
      return client
    }
    return new MeasuringClient(await connect(), () => connect())
  }

  ask(line: string): Promise<Measured> {
    const began = performance.now()
    return new Promise((resolve) => {
      let out = ''
      const told = (status: number | undefined, why?: string) =>
        resolve({ ms: performance.now() - began, status, out, ...(why !== undefined && { why }) })
      const lost = () => told(undefined)
      this.client.once('close', lost)
      this.client.exec(line, (refused: Error | undefined, channel: ClientChannel) => {
        if (refused) {
          this.client.off('close', lost)
          told(undefined, `${refused.message} ${'reason' in refused ? refused.reason : ''}`.trim())
          return
        }
        channel.on('data', (piece: Buffer) => {
          out += piece.toString()
        })
        channel.stderr.on('data', (piece: Buffer) => {
          out += piece.toString()
        })
        let status: number | undefined
        channel.on('exit', (code: number) => {
          status = code
        })
        channel.on('close', () => {
          this.client.off('close', lost)
          told(status)
        })
      })
    })
  }

  async askOften(line: string, times: number): Promise<Measured[]> {
    const answers: Measured[] = []
    for (let i = 0; i < times; i++) {
      const answer = await this.ask(line)
      answers.push(answer)
      if (answer.status !== undefined) continue
      // A request that was refused leaves its session open, of which a server has ten.
      this.client.destroy()
      this.client = await this.again()
    }
    return answers
  }

  sftp(): Promise<ssh2.SFTPWrapper> {
    return new Promise((resolve, reject) => {
      this.client.sftp((error, sftp) => (error ? reject(error) : resolve(sftp)))
    })
  }

  /** A shell without a terminal, which takes one line after the other: each answer is one packet there and one back. */
  async lines(): Promise<Lines> {
    const channel = await new Promise<ClientChannel>((resolve, reject) => {
      this.client.shell(false, (error, opened) => (error ? reject(error) : resolve(opened)))
    })
    const lines = new Lines(channel)
    await lines.waits(2)
    return lines
  }

  get lost(): Promise<void> {
    return new Promise((resolve) => this.client.once('close', () => resolve()))
  }

  close(): void {
    this.client.end()
  }
}

/** Lines to a shell without a terminal, each answered by one line. */
export class Lines {
  private readonly channel: ClientChannel
  private said = ''
  private heard: () => void = () => undefined

  constructor(channel: ClientChannel) {
    this.channel = channel
    channel.on('data', (piece: Buffer) => {
      this.said += piece.toString()
      this.heard()
    })
  }

  private async answer(line: string): Promise<string> {
    this.said = ''
    this.channel.write(`${line}\n`)
    while (!this.said.endsWith('\n')) {
      await new Promise<void>((resolve) => {
        this.heard = resolve
      })
    }
    return this.said
  }

  /** How long each of so many answers took. */
  async waits(times: number): Promise<number[]> {
    const found: number[] = []
    for (let i = 0; i < times; i++) {
      const began = performance.now()
      await this.answer('echo x')
      found.push(performance.now() - began)
    }
    return found
  }

  /** Of so many commands that say nothing, how many ended with another status than 0. */
  async failures(command: string, times: number): Promise<number> {
    let failed = 0
    for (let i = 0; i < times; i++) if ((await this.answer(`${command}; echo $?`)) !== '0\n') failed++
    return failed
  }

  close(): void {
    this.channel.end()
  }
}

/** How a new connection ends that is not taken: the error's code, or what came and `closed`. */
export async function connectionEnd(host: string, port: number): Promise<string> {
  const { connect } = await import('node:net')
  const socket = connect(port, host)
  let said = ''
  socket.on('data', (piece) => {
    said += piece.toString('latin1')
    // A greeting of SSH, or telnet's first option.
    if (/^(SSH-|\xff)/.test(said)) socket.destroy()
  })
  return new Promise((resolve) => {
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    socket.on('close', () => resolve(`${said.trim()} closed`.trim()))
  })
}
