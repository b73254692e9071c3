/** Health checks as the command line gives them. */

import { spawn } from 'node:child_process';
import http from 'node:http';
import https from 'node:https';
import { invalidArgumentValue } from '../arguments.js';
import type { HealthCheck } from '../net/health-watch.js';
import { hostAndPort } from './option-values.js';

/** `tcp`, `tcp:[HOST:]PORT`, `http://...`, `https://...`, `command:...` or `none`. */
export function healthCheckOf(
  text: string,
  service: { readonly host: string; readonly port: number },
): HealthCheck | undefined {
  if (text === 'none') return undefined;
  if (text === 'tcp') return service;
  if (text.startsWith('tcp:')) return hostAndPort('--check', text.slice('tcp:'.length));
  if (text.startsWith('command:')) return commandCheck(text.slice('command:'.length));
  if (/^https?:\/\//.test(text) && URL.canParse(text)) return urlCheck(new URL(text));
  throw invalidArgumentValue('--check', text, 'must be tcp, tcp:[HOST:]PORT, an http URL, command:COMMAND or none');
}

/** Well if the shell's exit code is 0. */
function commandCheck(command: string): HealthCheck {
  return (signal) =>
    new Promise((resolve, reject) => {
      const child = spawn(command, { shell: true, stdio: 'ignore', signal, killSignal: 'SIGKILL' });
      child.once('error', reject);
      child.once('exit', (code, by) => {
        if (code === 0) resolve();
        else reject(new Error(`'${command}' ended with ${code ?? by}`));
      });
    });
}

/** Well if the status code is below 400. */
function urlCheck(url: URL): HealthCheck {
  const { get } = url.protocol === 'https:' ? https : http;
  return (signal) =>
    new Promise((resolve, reject) => {
      const request = get(url, { signal, agent: false }, (response) => {
        response.resume();
        const { statusCode = 0 } = response;
        if (statusCode < 400) resolve();
        else reject(new Error(`${url.href} answered ${statusCode}`));
      });
      request.once('error', reject);
    });
}
