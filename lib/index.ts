/** Reliable Server Pooling as a drop-in for node:net: `import rserpool from 'rserpool'`, or its names one by one. */

export * as default from './exports.js';
export * from './exports.js';
