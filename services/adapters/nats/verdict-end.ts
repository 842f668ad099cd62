import type { NatsConnection } from './connection.ts'
import { apiCode } from './streams.ts'

/** Position of the newest verdict on the VERDICTS stream of this book; −1 when there is none. */
export async function readVerdictEnd(nc: NatsConnection, bookId: string): Promise<number> {
  const jsm = await nc.jetstreamManager()
  const { state } = await jsm.streams.info('VERDICTS')
  if (state.messages === 0) return -1
  try {
    const last = await jsm.streams.getMessage('VERDICTS', { seq: state.last_seq })
    const position = Number(last.header.get('bitacora-position'))
    const ours = last.header.get('Nats-Msg-Id') === `${bookId}-v${position}`
    return ours && Number.isSafeInteger(position) ? position : -1
  } catch (error) {
    // The newest was deleted by hand: telling operators again is harmless, each verdict has its id.
    if (apiCode(error) === 10037) return -1
    throw error
  }
}
