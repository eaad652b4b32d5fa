// Package compare runs one description of Secrets Manager and SQS, written from
// AWS's documentation, against several implementations: the local endpoint
// always, the moto server at MOTO_URL or of the command MOTO_SERVER, and with
// AWS_REAL=1 a real account (in the default AWS configuration; it makes
// resources with names of their own, removes them, and costs next to nothing).
package compare
