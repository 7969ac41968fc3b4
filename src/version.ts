/**
 * The product's version, and the version of the reference's interface that it answers: clients read `Version` in
 * `/v1/agent/self` and the `build` tag to choose what to send.
 */
import { readFileSync } from 'node:fs';
import { packageRoot } from './package-root.ts';

export const version = (JSON.parse(readFileSync(`${packageRoot}/package.json`, 'utf8')) as { version: string }).version;
export const interfaceVersion = '1.10.10';
