// Parses a multipart body with busboy, as an Express application would.
//
// Usage: node multipart_busboy.js CONTENT-TYPE < BODY; prints one JSON object a part.
'use strict';

const busboy = require('busboy');

const tell = (name, filename, type, bytes) =>
  console.log(JSON.stringify({ name, filename, type, bytes: bytes.toString('base64') }));

const parser = busboy({ headers: { 'content-type': process.argv[2] }, defParamCharset: 'utf8' });
parser.on('field', (name, value, info) => tell(name, null, info.mimeType, Buffer.from(value)));
parser.on('file', (name, stream, info) => {
  const pieces = [];
  stream.on('data', (piece) => pieces.push(piece));
  stream.on('end', () => tell(name, info.filename, info.mimeType, Buffer.concat(pieces)));
});
parser.on('error', (error) => {
  console.error(error.message);
  process.exit(1);
});
process.stdin.pipe(parser);
