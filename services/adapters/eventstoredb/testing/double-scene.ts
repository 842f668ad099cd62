import { type EsdbStore, type EsdbStoreOptions, openEsdbStore } from '../esdb-store.ts'
import { type DoubleOptions, type EsdbDouble, startDouble } from './esdb-double.ts'
import { type FaultyLine, faultyLine } from './faulty-line.ts'

/** What a test of the adapter gets; all of it is closed at the end, also on failure. */
export interface Scene {
  double: EsdbDouble
  /** The double stops; another takes its port, with an empty log unless given one. */
  restart(options?: DoubleOptions): Promise<void>
  open(options?: EsdbStoreOptions, url?: string): Promise<EsdbStore>
  /** A relay to the double's port that can fail. */
  line(): Promise<FaultyLine>
}

/** Times short enough for tests. */
export const QUICK = { attemptMs: 400, patienceMs: 4000, openMs: 2000, heartbeatMs: 100 }

export async function withDouble(body: (scene: Scene) => Promise<void>): Promise<void> {
  const stores: EsdbStore[] = []
  const lines: FaultyLine[] = []
  const scene: Scene = {
    double: await startDouble(),
    restart: async (options = {}) => {
      const { port } = scene.double
      await scene.double.stop()
      scene.double = await startDouble({ port, ...options })
    },
    open: async (options = {}, url = scene.double.url) => {
      const store = await openEsdbStore(url, { ...QUICK, ...options })
      stores.push(store)
      return store
    },
    line: async () => {
      const line = await faultyLine(scene.double.port)
      lines.push(line)
      return line
    },
  }
  try {
    await body(scene)
  } finally {
    for (const line of lines) await line.close()
    await Promise.all(stores.map((store) => store.close()))
    await scene.double.stop()
  }
}

export function urlOf(port: number): string {
  return `esdb://127.0.0.1:${port}?tls=false`
}

export function codeOf(error: unknown): string | undefined {
  return (error as { code?: string }).code
}
