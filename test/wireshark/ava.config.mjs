/** Tests that need Wireshark's command tshark. Their names keep them out of `npm test`, which needs Node alone. */
export default {
  typescript: { rewritePaths: { 'test/': 'dist/test/' }, compile: false },
  files: ['test/wireshark/demo.ts', 'test/wireshark/vectors.ts'],
  timeout: '2m',
};
