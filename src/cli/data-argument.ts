/** `@path` is a file, a lone `-` is standard input, anything else is itself. */
import { readFileSync } from 'node:fs';
import { CommandFailure, type Io } from './command.ts';
import { fileErrorText } from './http-client.ts';

export async function dataArgument(text: string, io: Io): Promise<Uint8Array> {
  if (text === '-') return io.readStdin();
  if (text.startsWith('@')) {
    try {
      return readArgumentFile(text.slice(1));
    } catch (error) {
      throw new CommandFailure(`Error! ${(error as Error).message}`);
    }
  }
  return Buffer.from(text);
}

export function readArgumentFile(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new CommandFailure(`Failed to read file: ${fileErrorText(path, error)}`);
  }
}
