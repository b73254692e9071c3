/** What the processes of elements and users tell. */

export type Report =
  /** All elements are registered. */
  | { readonly type: 'ready'; readonly identifiers: readonly number[] }
  /** What the users of one process have seen. */
  | { readonly type: 'counts'; readonly counts: UserCounts };

export interface UserCounts {
  readonly sessions: number;
  readonly requests: number;
  readonly answered: number;
  /** Requests that failed, answers that were wrong, sessions that could not be opened or ended with an error. */
  readonly failures: readonly string[];
}

export const poolHandle = 'takeover';

export function report(what: Report): void {
  process.send?.(what);
}
