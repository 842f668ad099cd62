/**
 * An event's id: the 64 random bits of the writer's run and the position, as a UUID. It costs nothing,
 * and an append of a forgotten writer can never pass for a retry of another's.
 * `run` is 16 hex digits. Four bits of each half give way to the UUID's version and variant.
 */
export function eventId(run: string, position: number): string {
  const tail = position.toString(16).padStart(15, '0')
  return `${run.slice(0, 8)}-${run.slice(8, 12)}-8${run.slice(12, 15)}-8${tail.slice(0, 3)}-${tail.slice(3)}`
}

/** The id that a broker knows an order by: it names the book, so that no other book's order is mistaken for ours. */
export function clientOrderId(bookId: string, orderId: number): string {
  return `${bookId}-${orderId}`
}

/** Reads a client order id of this book back into the order's number; null when it is not ours. */
export function orderIdOf(bookId: string, id: string): number | null {
  if (!id.startsWith(`${bookId}-`)) return null
  const digits = id.slice(bookId.length + 1)
  return /^[1-9]\d{0,14}$/.test(digits) ? Number(digits) : null
}
