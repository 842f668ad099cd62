/** Edit distance with neighbouring letters swapped counting once. */
export function editDistance(a: string, b: string): number {
  let older: number[] = []
  let old = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = (old[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      let best = Math.min((old[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, change)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, (older[j - 2] ?? 0) + 1)
      }
      row.push(best)
    }
    older = old
    old = row
  }
  return old[b.length] ?? 0
}

/** The known name that a mistyped one most likely means, at most `limit` edits away; case does not count. */
export function nearestName(
  name: string,
  known: readonly string[],
  limit: number,
): string | undefined {
  let best: string | undefined
  let least = limit + 1
  for (const candidate of known) {
    if (Math.abs(candidate.length - name.length) >= least) continue
    const distance = editDistance(name.toUpperCase(), candidate)
    if (distance < least) {
      best = candidate
      least = distance
    }
  }
  return best
}
