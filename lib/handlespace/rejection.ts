/** Why a registration is refused (RFC 5352 section 3.1 rules 2, 3 and 5), with what its Error Cause must carry. */

import type { MemberSelectionPolicy, Transport } from '../wire/parameters.js';

/** The limits of a handlespace, by the names of their options. */
export type HandlespaceLimit = 'maxPools' | 'maxElementsPerPool' | 'maxElements';

/** Each type is named after its Error Cause (RFC 5354 sections 3.12.5 to 3.12.9). */
export type Rejection =
  /** Somebody else holds that PE identifier in the pool. */
  | { readonly type: 'nonUniquePeIdentifier' }
  /** `policy` is the overall policy of the pool. */
  | { readonly type: 'inconsistentPoolPolicy'; readonly policy: MemberSelectionPolicy }
  /** `transport` is one of the overall transport type of the pool: that of the element it began with. */
  | { readonly type: 'inconsistentTransportType'; readonly transport: Transport }
  | { readonly type: 'inconsistentDataControlConfiguration' }
  /** `limit` was reached; the wire has no room for it, logs do. */
  | { readonly type: 'lackOfResources'; readonly limit: HandlespaceLimit };
