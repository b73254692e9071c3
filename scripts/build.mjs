/** `npm run build`: installs what is missing, compiles and bundles. */

import { setUp } from './setup.mjs';

await setUp();
