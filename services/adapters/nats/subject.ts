/**
 * Whether a message can be published on a subject. A subject is written into the protocol as it is: a space or a line
 * break in it would be another command. Servers store more than this, such as letters beyond ASCII.
 */
export function isPublishable(subject: string): boolean {
  return /^[!-~]+$/.test(subject) && !/[*>]|\.\.|^\.|\.$/.test(subject)
}
