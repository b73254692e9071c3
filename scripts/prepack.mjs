/** Before `npm pack` and `npm publish`: a build from nothing, so that no file of a deleted source is published. */

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { root, setUp } from './setup.mjs';

rmSync(join(root, 'dist'), { recursive: true, force: true });
await setUp();
