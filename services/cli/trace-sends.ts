import type { Bus } from '../../engine/ports/bus.ts'
import { commandEnv } from '../runtime/command-env.ts'
import { parseTraceparent } from '../runtime/traceparent.ts'
import { tracedSends } from '../telemetry/command-bus.ts'
import type { Span } from '../telemetry/step-spans.ts'

/** A collector that is slow to answer must not keep a command from ending. */
const EXPORT_MS = 2000

/**
 * The bus of a command: its messages belong to the trace that the variable TRACEPARENT names, or with a collector to
 * one that begins here. `end` sends the spans, as far as the collector takes them in time.
 */
export function tracedCommand(bus: Bus): { bus: Bus; end: () => Promise<void> } {
  const env = commandEnv()
  const endpoint = env.OTEL_EXPORTER_OTLP_ENDPOINT
  const parent = parseTraceparent(env.TRACEPARENT)
  const spans: Span[] = []
  const on = endpoint !== undefined && endpoint !== ''
  return {
    bus: tracedSends(bus, () => parent, on ? (span) => spans.push(span) : undefined),
    async end() {
      const kept = spans.filter(({ sampled }) => sampled)
      if (!on || kept.length === 0) return
      try {
        const { openOtlp } = await import('../telemetry/otlp.ts')
        const resource = { 'service.name': 'bitacora-cli' }
        const sink = await openOtlp({ endpoint, resource, timeoutMs: EXPORT_MS })
        const late = new Promise<void>((resolve) => setTimeout(resolve, EXPORT_MS).unref())
        await Promise.race([sink.send(kept), late])
      } catch {
        // The command has done what it was asked for; only its span is lost.
      }
    },
  }
}
