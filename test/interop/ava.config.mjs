/** Tests that need the reference implementation in its machine. Their names keep them out of `npm test`. */
export default {
  typescript: { rewritePaths: { 'test/': 'dist/test/' }, compile: false },
  files: ['test/interop/interop.ts'],
  timeout: '5m',
  // Native modules such as raw-socket may bring down a process when a worker thread loads them.
  workerThreads: false,
  concurrency: 1,
};
