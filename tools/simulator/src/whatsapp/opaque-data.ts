/** What a sender's `biz_opaque_callback_data` says. */
export interface OpaqueData {
  readonly messageId: string;
  readonly attempt: number | undefined;
}

/**
 * Reads opaque data by a pattern.
 *
 * @param pattern with a group `messageId` and, perhaps, `attempt`.
 * @returns undefined when there is no data or the pattern doesn't match.
 */
export function readOpaqueData(opaque: string | undefined, pattern: RegExp): OpaqueData | undefined {
  if (opaque === undefined) return undefined;
  const groups = pattern.exec(opaque)?.groups;
  if (groups?.messageId === undefined) return undefined;
  return {
    messageId: groups.messageId,
    attempt: groups.attempt === undefined ? undefined : Number(groups.attempt),
  };
}
