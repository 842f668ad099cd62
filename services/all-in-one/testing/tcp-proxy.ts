import { createServer, type Server, type Socket, connect } from 'node:net'

/**
 * A line between a client and a server that can be bad: slow, cut, or dead while both ends believe that it
 * stands.
 */
export class TcpProxy {
  /** ms that every piece of data is held back, each way. */
  delayMs = 0
  /** Bytes a second, each way; 0: as fast as it goes. */
  bytesPerSecond = 0
  private readonly server: Server
  private readonly sockets = new Set<Socket>()
  private halfOpen = false

  private constructor(server: Server, targetPort: number) {
    this.server = server
    server.on('connection', (near) => {
      const far = connect(targetPort, '127.0.0.1')
      this.carry(near, far)
      this.carry(far, near)
    })
  }

  static async open(targetPort: number): Promise<TcpProxy> {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return new TcpProxy(server, targetPort)
  }

  get url(): string {
    const address = this.server.address()
    if (address === null || typeof address === 'string') throw new Error('the proxy is closed')
    return `nats://127.0.0.1:${address.port}`
  }

  /** Ends all connections; new ones are taken. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy()
  }

  /** From now on nothing passes on the connections there are, and nobody is told. */
  freeze(): void {
    this.halfOpen = true
    for (const socket of this.sockets) socket.pause()
  }

  /** New connections work again; frozen ones never do. */
  thaw(): void {
    this.halfOpen = false
  }

  async close(): Promise<void> {
    this.cut()
    await new Promise<void>((resolve) => this.server.close(() => resolve()))
  }

  private carry(from: Socket, to: Socket): void {
    this.sockets.add(from)
    let due = 0
    from.on('data', (data) => {
      const now = Date.now()
      const cost = this.bytesPerSecond === 0 ? 0 : (data.length / this.bytesPerSecond) * 1000
      due = Math.max(due, now + this.delayMs) + cost
      if (due <= now) to.write(data)
      else setTimeout(() => !to.destroyed && to.write(data), due - now)
    })
    from.on('error', () => from.destroy())
    from.on('close', () => {
      this.sockets.delete(from)
      to.destroy()
    })
    if (this.halfOpen) from.pause()
  }
}
