/** The server's book ends before what this machine has read of it. */
export class ServerBehindCopy extends Error {
  override name = 'ServerBehindCopy'
  readonly code = 'server_behind_copy'
  /** First and last position that the copy has and the server has not. */
  readonly from: number
  readonly to: number
  constructor(server: string, path: string, stream: string, head: number, last: number) {
    const where = head < 0 ? `holds no stream ${stream}` : `holds stream ${stream} up to ${head}`
    super(
      `${server} ${where}, and ${path} has read it up to ${last}: positions ${head + 1} to ${last} are gone there, or EVENTSTORE_URL names another server. Restore the server's newest backup; what that lacks put back from the copy: move it to a new folder as book.db, then \`bitacora copy-book --dir <that folder> --to <EVENTSTORE_URL>\``,
    )
    this.from = head + 1
    this.to = last
  }
}

/** Server and copy hold the same book, and another event at one position: the server was taken back, and went on. */
export class ServerDiverged extends Error {
  override name = 'ServerDiverged'
  readonly code = 'server_diverged'
  /** At or before it they part. */
  readonly position: number
  constructor(server: string, path: string, stream: string, position: number) {
    super(
      `${server}, stream ${stream}, has another event at ${position} than ${path} has read there before: the server was restored or altered, and somebody went on writing. Stop every writer and find out which of the two was traded on; to go on with the server's, move the copy away`,
    )
    this.position = position
  }
}

/** The server holds a book, and the copy is of another. */
export class CopyOfAnotherBook extends Error {
  override name = 'CopyOfAnotherBook'
  readonly code = 'foreign_copy'
  constructor(server: string, path: string, stream: string) {
    super(
      `${server}, stream ${stream}, holds another book than the one that ${path} is a copy of: correct EVENTSTORE_URL or --dir; if this folder is to go on with the server's book, move the copy away`,
    )
  }
}
