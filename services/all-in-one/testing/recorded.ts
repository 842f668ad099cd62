import { join } from 'node:path'
import { decodeBody } from '../../../engine/events/envelope.ts'
import type {
  ControlReceived,
  InputGap,
  MarketBar,
  SignalReceived,
} from '../../../schemas/types.gen.ts'
import { openStore } from '../../adapters/open-store.ts'
import { BOOK_FILE, bookStream } from '../../runtime/folder.ts'

/** The inputs that stand in a book, in their order. */
export interface Recorded {
  bars: string[]
  signals: string[]
  controls: string[]
  gaps: InputGap[]
  /** Positions, the last one included. */
  events: number
}

/** Reads the book of an engine's folder; the engine may run. */
export async function readRecorded(dir: string): Promise<Recorded> {
  const found: Recorded = { bars: [], signals: [], controls: [], gaps: [], events: 0 }
  const store = await openStore({ path: join(dir, BOOK_FILE), url: null }, { readonly: true })
  try {
    for await (const page of store.read(bookStream(), 0)) {
      for (const stored of page) {
        found.events = stored.position + 1
        const { type, data } = decodeBody(stored)
        if (type === 'market.bar') found.bars.push((data as MarketBar).time)
        else if (type === 'signal.received') found.signals.push((data as SignalReceived).signalId)
        else if (type === 'control.received') {
          found.controls.push((data as ControlReceived).controlId)
        } else if (type === 'input.gap') found.gaps.push(data as InputGap)
      }
    }
  } finally {
    await store.close()
  }
  return found
}
