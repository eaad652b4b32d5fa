"""The custom resource's work in Python, for a connection that is in step: the
same calls in the same order."""

import json
import os
from urllib.parse import urlencode

import boto3
import urllib3

stacks = boto3.client("cloudformation")
events = boto3.client("events")
keys = boto3.client("kms")
secrets = boto3.client("secretsmanager")
plain = urllib3.PoolManager()
proxied = urllib3.ProxyManager(os.environ["HTTPS_PROXY"], ca_certs=os.environ["SSL_CERT_FILE"])


def handle(event, _):
    wanted = event["ResourceProperties"]
    stack = stacks.describe_stacks(StackName=event["StackId"])["Stacks"][0]
    if stack["StackStatus"] == "UPDATE_ROLLBACK_IN_PROGRESS":
        raise RuntimeError("a rollback is not measured here")
    holders = {}
    for version, labels in secrets.describe_secret(SecretId=wanted["SecretId"])["VersionIdsToStages"].items():
        holders.update(dict.fromkeys(labels, version))
    current = holders["AWSCURRENT"]

    key = keys.describe_key(KeyId=wanted["KmsKeyArn"])["KeyMetadata"]
    tags = keys.list_resource_tags(KeyId=wanted["KmsKeyArn"])["Tags"]
    if key["KeyState"] != "Enabled" or {"TagKey": "EventBridgeApiDestinations", "TagValue": "true"} not in tags:
        raise RuntimeError("the key cannot be used")

    candidate = json.loads(secrets.get_secret_value(SecretId=wanted["SecretId"], VersionId=current)["SecretString"])
    client, secret = candidate[wanted["ClientIDKey"]], candidate[wanted["ClientSecretKey"]]
    granted = proxied.request(
        "POST", wanted["AuthorizationEndpoint"], headers={"Content-Type": "application/x-www-form-urlencoded"},
        body=urlencode({"grant_type": "client_credentials", "client_id": client, "client_secret": secret, "scope": wanted["Scope"]}))
    if granted.status != 200 or "access_token" not in json.loads(granted.data):
        raise RuntimeError("the credentials are not accepted")

    shown = events.describe_connection(Name=wanted["ConnectionName"])
    held = json.loads(secrets.get_secret_value(SecretId=shown["SecretArn"])["SecretString"])
    if shown["ConnectionState"] != "AUTHORIZED" or held["client_secret"] != secret or holders["eventbridge/" + wanted["ConnectionName"]] != current:
        raise RuntimeError("the connection is not in step, which is not measured here")

    reply = json.dumps({
        "Status": "SUCCESS", "StackId": event["StackId"], "RequestId": event["RequestId"], "LogicalResourceId": event["LogicalResourceId"],
        "PhysicalResourceId": event["PhysicalResourceId"],
        "Data": {"VersionId": current, "ConnectionState": shown["ConnectionState"], "LastAuthorizedTime": shown["LastAuthorizedTime"].isoformat()},
    })
    plain.request("PUT", event["ResponseURL"], body=reply)
    print(json.dumps({"level": "INFO", "message": "replied", "status": "SUCCESS", "versionId": current}))
