import type { MarketBar } from '../../schemas/types.gen.ts'
import type { ChainEvent } from '../chain/processor.ts'
import { barFromWire } from '../market/bar-wire.ts'
import type { RecordedEvent } from './envelope.ts'
import { UpcastRegistry } from './upcast.ts'

const registry = new UpcastRegistry()

/** A recorded event as the chain takes it: in the current version, a bar as numbers. */
export function chainEvent(
  recorded: Pick<RecordedEvent, 'type' | 'version' | 'at' | 'data'>,
): ChainEvent {
  const data = registry.read(recorded.type, recorded.version, recorded.data)
  if (recorded.type === 'market.bar') {
    return { type: 'market.bar', at: recorded.at, data: barFromWire(data as MarketBar) }
  }
  return { type: recorded.type, at: recorded.at, data } as ChainEvent
}
