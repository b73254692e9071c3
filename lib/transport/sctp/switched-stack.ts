/** The SCTP of a scope or a registrar: none unless it is switched on, and then made when it is first used. */

import { checkObject, invalidArgumentType } from '../../arguments.js';
import type { Clock } from '../../clock.js';
import type { Random } from '../../random.js';
import { PackageSctpStack } from './package/package-stack.js';
import type { SctpStackOptions } from './package/stack-options.js';
import type { SctpStack } from './sctp-stack.js';

/** Milliseconds that associations have to end in order when their owner closes. */
const lingerTime = 2_000;

/** `true`: with the defaults (docs/sctp.md). */
export type SctpOption = boolean | Partial<SctpStackOptions>;

export interface SwitchedStack {
  readonly isOn: boolean;
  /** Makes the stack when it is first asked for; undefined: SCTP is off. */
  get(): SctpStack | undefined;
  /** Ends it, unless somebody else made it, as soon as its associations have ended in order; `onClosed`: its port is free. */
  close(onClosed?: () => void): void;
}

/** `given`: a stack that somebody else made and will close. Throws Node's argument errors. */
export function switchedStack(
  option: SctpOption | undefined,
  given: SctpStack | undefined,
  clock: Clock,
  random: Random,
): SwitchedStack {
  if (option !== undefined && typeof option !== 'boolean' && (typeof option !== 'object' || option === null)) {
    throw invalidArgumentType('options.sctp', 'of type boolean or an instance of Object', option);
  }
  if (typeof option === 'object') checkObject('options.sctp', option);
  const isOn = given !== undefined || (option !== undefined && option !== false);
  let stack: PackageSctpStack | undefined;
  let closed = false;
  return {
    isOn,
    get() {
      if (given !== undefined || !isOn || closed) return given;
      stack ??= new PackageSctpStack(typeof option === 'object' ? option : {}, { clock, random });
      return stack;
    },
    close(onClosed) {
      closed = true;
      if (stack === undefined) onClosed?.();
      else stack.closeWhenIdle(lingerTime, onClosed);
    },
  };
}
