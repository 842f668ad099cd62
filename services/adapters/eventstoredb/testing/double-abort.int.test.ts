import { Buffer } from 'node:buffer'
import { setTimeout as sleep } from 'node:timers/promises'
import { StreamsClient } from '@eventstore/db-client/generated/streams_grpc_pb.js'
import sharedPb from '@eventstore/db-client/generated/shared_pb.js'
import streamsPb from '@eventstore/db-client/generated/streams_pb.js'
import grpc from '@grpc/grpc-js'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { faultyLine } from './faulty-line.ts'
import { startDouble } from './esdb-double.ts'

const { AppendReq } = streamsPb

function optionsPart(stream: string): InstanceType<typeof AppendReq> {
  const name = new sharedPb.StreamIdentifier().setStreamName(Buffer.from(stream))
  const options = new AppendReq.Options().setStreamIdentifier(name)
  return new AppendReq().setOptions(options.setNoStream(new sharedPb.Empty()))
}

function eventPart(id: number): InstanceType<typeof AppendReq> {
  const uuid = new sharedPb.UUID().setString(`00000000-0000-4000-8000-${`${id}`.padStart(12, '0')}`)
  const message = new AppendReq.ProposedMessage().setId(uuid).setData(Buffer.from('{}'))
  message.getMetadataMap().set('type', 'tested').set('content-type', 'application/octet-stream')
  return new AppendReq().setProposedMessage(message)
}

for (const how of ['finished', 'cut'] as const) {
  test(`an append whose request is ${how} is written ${how === 'cut' ? 'not at all' : 'whole'}`, async () => {
    const double = await startDouble()
    const line = await faultyLine(double.port)
    const address = `127.0.0.1:${line.port}`
    const client = new StreamsClient(address, grpc.credentials.createInsecure())
    try {
      const answered = new Promise<boolean>((resolve) => {
        const call = client.append((error: unknown) => resolve(error === null))
        call.on('error', () => undefined)
        call.write(optionsPart('s'))
        call.write(eventPart(1))
        call.write(eventPart(2))
        if (how === 'finished') call.end()
        // The parts are on their way; the client dies without a word.
        else setTimeout(() => line.cut(), 200)
      })
      assert.is(await answered, how === 'finished')
      await sleep(200)
      assert.is(double.log.last('s'), how === 'finished' ? 1 : -1)
    } finally {
      client.close()
      await line.close()
      await double.stop()
    }
  })
}

test.run()
