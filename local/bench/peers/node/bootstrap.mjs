// The smallest client of Lambda's Runtime API: AWS's own for Node wants a C++
// toolchain, and does more.
import http from 'node:http';

const { handle } = await import(process.argv[2]);
const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
const agent = new http.Agent({ keepAlive: true });

function call(method, path, body) {
  return new Promise((resolve, reject) => {
    const request = http.request({ host, port, agent, method, path: '/2018-06-01/runtime/invocation/' + path }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => resolve({ headers: response.headers, body: Buffer.concat(chunks) }));
    });
    request.on('error', reject);
    request.end(body);
  });
}

for (;;) {
  const next = await call('GET', 'next');
  const id = next.headers['lambda-runtime-aws-request-id'];
  try {
    await call('POST', id + '/response', JSON.stringify(await handle(JSON.parse(next.body)) ?? null));
  } catch (error) {
    await call('POST', id + '/error', JSON.stringify({ errorType: error.name, errorMessage: error.message }));
  }
}
