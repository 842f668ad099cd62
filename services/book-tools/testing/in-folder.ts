import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Wraps a test body: a folder of its own, removed also on failure. */
export function inFolder(body: (folder: string) => void | Promise<void>): () => Promise<void> {
  return async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bitacora-tools-'))
    try {
      await body(folder)
    } finally {
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    }
  }
}

/** The error that a promise rejects with; resolving is the failure. */
export async function rejection(promise: Promise<unknown>): Promise<Error & { code?: string }> {
  try {
    await promise
  } catch (error) {
    return error as Error & { code?: string }
  }
  throw new Error('it resolved')
}
