import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  BadKeysFile,
  checkSignature,
  mac,
  readKeysFile,
  secretKey,
  signatureHeaders,
} from './webhook-signature.ts'

// Secret, id, time and payload of the Standard Webhooks libraries' own tests.
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const OTHER = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const ID = 'msg_p5jXN8AQM9LWM0D4loKWxJek'
const TIME = '1614265330'
const PAYLOAD = '{"test": 2432232314}'
const SUBJECT = 'signals.manual.ana'

const key = secretKey(SECRET)!
const other = secretKey(OTHER)!
const keys = new Map([['ana', [other, key]]])

function message(headers: Record<string, string>, changes: object = {}) {
  return {
    subject: SUBJECT,
    headers,
    payload: Buffer.from(PAYLOAD),
    storedAt: Number(TIME) * 1000 + 1000,
    ...changes,
  }
}

const signed = signatureHeaders(
  { id: ID, timestamp: TIME, subject: SUBJECT, payload: PAYLOAD },
  key,
)

function inFile(text: string, body: (path: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'bitacora-keys-'))
  try {
    const path = join(folder, 'keys.json')
    writeFileSync(path, text, { mode: 0o600 })
    body(path)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

test('the MAC is that of Standard Webhooks', () => {
  assert.is(
    mac(key, `${ID}.${TIME}.`, PAYLOAD).toString('base64'),
    'g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  )
})

test('a signature of any known key holds, also among others', () => {
  assert.is(checkSignature(keys, message(signed), 'ana'), null)
  const several = `v1a,xyz v1,AAAA ${signed['webhook-signature']}`
  const headers = { ...signed, 'webhook-signature': several }
  assert.is(checkSignature(keys, message(headers), 'ana'), null)
})

test('a changed payload, id, time or subject, or another operator, does not', () => {
  const code = (headers: Record<string, string>, changes: object = {}, operator = 'ana') =>
    checkSignature(keys, message(headers, changes), operator)?.code
  assert.is(code(signed, { payload: Buffer.from(`${PAYLOAD} `) }), 'signature_invalid')
  assert.is(code({ ...signed, 'webhook-id': 'other' }), 'signature_invalid')
  assert.is(code({ ...signed, 'webhook-timestamp': '1614265331' }), 'signature_invalid')
  assert.is(code(signed, { subject: 'signals.manual.bob' }), 'signature_invalid')
  assert.is(code(signed, {}, 'bob'), 'unknown_operator')
})

test('headers that are missing or malformed are refused by name', () => {
  for (const name of ['webhook-id', 'webhook-timestamp', 'webhook-signature']) {
    const found = checkSignature(keys, message({ ...signed, [name]: '' }), 'ana')
    assert.is(found?.code, 'signature_invalid', name)
  }
  const found = checkSignature(keys, message({ ...signed, 'webhook-timestamp': '1e9' }), 'ana')
  assert.match(found!.message, 'webhook-timestamp')
})

test('freshness is measured against the time the message was stored, both ways', () => {
  const at = Number(TIME) * 1000
  const code = (storedAt: number) =>
    checkSignature(keys, message(signed, { storedAt }), 'ana')?.code
  assert.is(code(at + 300_000), undefined)
  assert.is(code(at - 300_000), undefined)
  assert.is(code(at + 300_001), 'signature_stale')
  assert.is(code(at - 300_001), 'signature_stale')
})

test('secrets are whsec_ and the base64 of 24 to 64 bytes', () => {
  assert.is(secretKey(SECRET)!.length, 24)
  assert.is(secretKey(SECRET.slice(6)), null)
  assert.is(secretKey(`whsec_${Buffer.alloc(23).toString('base64')}`), null)
  assert.is(secretKey(`whsec_${Buffer.alloc(65).toString('base64')}`), null)
  assert.is(secretKey('whsec_not base64'), null)
})

test('a keys file holds one secret or several for an operator', () => {
  inFile(JSON.stringify({ ana: SECRET, bob: [OTHER, SECRET] }), (path) => {
    const read = readKeysFile(path)
    assert.is(read.warning, null)
    assert.ok(read.keys.get('ana')![0]!.equals(key))
    assert.is(read.keys.get('bob')!.length, 2)
    chmodSync(path, 0o644)
    if (process.platform !== 'win32') assert.match(readKeysFile(path).warning!, 'chmod 600')
  })
})

test('a keys file that cannot be used is refused without quoting a secret', () => {
  const broken = [
    `{"ana": "${SECRET}"`,
    '[]',
    '{"a.b": "x"}',
    '{"ana": "whsec_c2VjcmV0c2VjcmV0"}',
    '{"ana": []}',
    '{"ana": 7}',
  ]
  for (const text of broken) {
    inFile(text, (path) => {
      try {
        readKeysFile(path)
        assert.unreachable(text)
      } catch (error) {
        assert.instance(error, BadKeysFile)
        assert.not.match((error as Error).message, 'c2VjcmV0')
        assert.not.match((error as Error).message, SECRET.slice(8))
      }
    })
  }
  assert.throws(() => readKeysFile('/does/not/exist'), /ENOENT/)
})

test.run()
