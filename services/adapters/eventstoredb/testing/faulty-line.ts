import { createServer, connect as dial, type Server, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'

/** A TCP relay on loopback between a client and a server, which fails as networks do. */
export class FaultyLine {
  readonly port: number
  #server: Server
  #pairs = new Set<readonly [Socket, Socket]>()
  #refusing = false
  #silent = false

  constructor(server: Server, target: number) {
    this.#server = server
    this.port = (server.address() as AddressInfo).port
    server.on('connection', (near: Socket) => this.#join(near, target))
  }

  /** New connections are cut at once; those that exist go on. */
  set refusing(value: boolean) {
    this.#refusing = value
  }

  /** Connections stay open and carry nothing either way, as behind a dead router. */
  set silent(value: boolean) {
    this.#silent = value
    for (const sockets of this.#pairs) {
      for (const socket of sockets) {
        if (value) socket.pause()
        else socket.resume()
      }
    }
  }

  /** Cuts what is connected. */
  cut(): void {
    for (const sockets of this.#pairs) for (const socket of sockets) socket.destroy()
  }

  async close(): Promise<void> {
    this.cut()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #join(near: Socket, target: number): void {
    if (this.#refusing) {
      near.destroy()
      return
    }
    const far = dial(target, '127.0.0.1')
    const pair = [near, far] as const
    this.#pairs.add(pair)
    for (const [from, to] of [pair, [far, near]] as const) {
      from.setNoDelay(true)
      from.on('error', () => undefined)
      from.on('data', (bytes) => {
        if (to.writable) to.write(bytes)
      })
      from.on('close', () => {
        to.destroy()
        this.#pairs.delete(pair)
      })
      if (this.#silent) from.pause()
    }
  }
}

export async function faultyLine(target: number): Promise<FaultyLine> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return new FaultyLine(server, target)
}
