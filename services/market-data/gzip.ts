/** Unpacks gzip as a stream: one buffer of what comes out, never a second copy of it. */
import { createGunzip } from 'node:zlib'
import { type CsvRefusal, whole } from './csv.ts'

/** What the readers take, unpacked or not. */
export const MAX_BYTES = 0x7fff_ffff
const CHUNK = 1 << 18

/** All members of a gzip file. Throws CsvRefusal where it ends early, is damaged or grows too large. */
export async function gunzip(packed: Buffer, limit = MAX_BYTES): Promise<Buffer> {
  const stream = createGunzip({ chunkSize: CHUNK })
  // The last four bytes give the size of the last member: usually of the whole.
  const hint = packed.length >= 18 ? packed.readUInt32LE(packed.length - 4) : 0
  // Text shrinks to a tenth, not to a hundredth: a hint beyond that is not trusted with memory.
  let out = Buffer.allocUnsafe(
    Math.min(limit, Math.max(CHUNK, Math.min(hint, packed.length * 100))),
  )
  let length = 0
  stream.end(packed)
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      if (length + chunk.length > limit)
        throw whole(`is larger than ${size(limit)} unpacked; split it`)
      if (length + chunk.length > out.length) {
        const wider = Buffer.allocUnsafe(
          Math.min(limit, Math.max(out.length * 2, length + chunk.length)),
        )
        out.copy(wider, 0, 0, length)
        out = wider
      }
      length += chunk.copy(out, length)
    }
  } catch (error) {
    throw gzipRefusal(error)
  } finally {
    stream.destroy()
  }
  return out.subarray(0, length)
}

function size(bytes: number): string {
  return bytes === MAX_BYTES ? '2 GiB' : `${bytes} bytes`
}

function gzipRefusal(error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'Z_BUF_ERROR')
    return whole('is gzip that ends early: the file was cut off; fetch it again')
  if (code === 'Z_DATA_ERROR' || code === 'Z_NEED_DICT') {
    return whole(`is damaged gzip (${message}); fetch it again`)
  }
  return error as CsvRefusal
}
