import { expectAssignable, expectError, expectNotAssignable, expectType } from 'tsd';
import { RserpoolError, type RserpoolErrorCode } from '../../dist/lib/errors.js';

const error = new RserpoolError('ERR_RSERPOOL_PROTOCOL', { origin: 'remote' });
expectAssignable<Error>(error);
expectType<RserpoolErrorCode>(error.code);
expectType<number | undefined>(error.element);
expectType<'local' | 'remote'>(error.origin);

// Codes are literals: a switch over them can be exhaustive, and a misspelt one does not compile.
expectAssignable<RserpoolErrorCode>('ERR_RSERPOOL_UNKNOWN_POOL_HANDLE');
expectNotAssignable<RserpoolErrorCode>('ERR_RSERPOOL_UNKNOWN_POOL');
expectNotAssignable<RserpoolErrorCode>('' as string);
expectError(new RserpoolError('ERR_RSERPOOL_UNKNOWN_POOL'));
expectError(() => {
  error.code = 'ERR_RSERPOOL_LIMIT';
});
