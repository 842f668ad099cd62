/** Whether dist was built from the sources as they lie there; without sources (a container) a build is fresh. */
export function isFresh(root: string): boolean
