// Reads SQL line by line from standard input and prints rows, as psql does, for machines without psql.
//   node demo/services/psql.mjs -h HOST -p PORT [-c SQL]
import { createInterface } from 'node:readline';
import pg from 'pg';

const words = process.argv.slice(2);
const option = (name) => (words.includes(name) ? words[words.indexOf(name) + 1] : undefined);
const client = new pg.Client({
  host: option('-h'),
  port: Number(option('-p')),
  user: 'postgres',
  database: 'postgres',
});

function fail(error) {
  console.error(`psql: error: ${error.message || error.code || 'the connection was closed'}`);
  process.exit(2);
}

async function run(sql) {
  const { rows } = await client.query(sql);
  for (const row of rows) console.log(Object.values(row).map(String).join('|'));
}

client.on('error', fail);
try {
  await client.connect();
  if (option('-c') !== undefined) await run(option('-c'));
  else for await (const line of createInterface({ input: process.stdin })) await run(line);
  await client.end();
} catch (error) {
  fail(error);
}
