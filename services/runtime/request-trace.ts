import { AsyncLocalStorage } from 'node:async_hooks'
import type { TraceContext } from './traceparent.ts'

/** The trace that the HTTP request being answered belongs to; nothing when the request named none. */
export const requestTrace = new AsyncLocalStorage<TraceContext>()
