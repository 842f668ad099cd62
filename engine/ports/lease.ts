/**
 * The right to act for an account, held by one engine at a time and only for a while. It keeps two engines from
 * working against each other; it is no fence: a process can be paused between looking and acting. What holds then is
 * the expected position of the book and the client order id at the broker.
 */
export interface Lease {
  /** Whether it is held at this moment. To be asked right before each effect, with nothing awaited in between. */
  valid(): boolean
}
