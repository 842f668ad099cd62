import { test } from 'uvu'
import { eventStoreContract } from '../contract/event-store-contract.ts'
import { type EsdbStore, openEsdbStore } from './esdb-store.ts'
import { startDouble } from './testing/esdb-double.ts'

// Against the double, that is: against our reading of the server. `npm run conformance -- URL` runs the same
// suite against a real one.
eventStoreContract(
  test,
  'eventstoredb client over the double',
  async () => {
    const double = await startDouble()
    const handles: EsdbStore[] = []
    const another = async () => {
      const store = await openEsdbStore(double.url)
      handles.push(store)
      return store
    }
    const dispose = async () => {
      for (const handle of handles) await handle.close()
      await double.stop()
    }
    return { store: await another(), another, dispose }
  },
  { propertyRuns: 25 },
)

test.run()
