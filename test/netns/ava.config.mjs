/** Tests that need network namespaces: root and Linux. Their names keep them out of `npm test`, which needs Node alone. */
export default {
  typescript: { rewritePaths: { 'test/': 'dist/test/' }, compile: false },
  files: ['test/netns/partition.ts'],
  timeout: '3m',
};
