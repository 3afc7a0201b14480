"""Builds pyCADF's own objects of an event in JSON, with its constructors and checks: what it refuses is refused."""

from pycadf import (
    attachment,
    credential,
    endpoint,
    event,
    geolocation,
    host,
    measurement,
    metric,
    reason,
    reporterstep,
    resource,
)

EVENT = [
    'eventType',
    'id',
    'eventTime',
    'action',
    'outcome',
    'initiatorId',
    'targetId',
    'observerId',
    'name',
    'severity',
]
RESOURCE = ['id', 'typeURI', 'name', 'ref', 'domain', 'geolocationId']


def some(fields, names):
    return {name: fields[name] for name in names if name in fields}


def extended(made, fields, names):
    """What OpenStack adds to a class of CADF, it sets as an attribute."""
    for name in fields.keys() - set(names):
        setattr(made, name, fields[name])
    return made


def credential_of(fields, masked):
    made = credential.Credential(**some(fields, ['token', 'type']))
    if masked:
        # The constructor masks, and this token is masked already.
        made.token = fields['token']
    return extended(made, fields, ['token', 'type'])


def resource_of(fields, masked):
    parts = {}
    if 'credential' in fields:
        parts['credential'] = credential_of(fields['credential'], masked)
    if 'host' in fields:
        parts['host'] = host.Host(**fields['host'])
    if 'geolocation' in fields:
        parts['geolocation'] = geolocation.Geolocation(**fields['geolocation'])
    made = resource.Resource(**some(fields, RESOURCE), **parts)
    for address in fields.get('addresses', []):
        made.add_address(endpoint.Endpoint(**address))
    for each in fields.get('attachments', []):
        made.add_attachment(attachment.Attachment(**each))
    return extended(made, fields, [*RESOURCE, *parts, 'addresses', 'attachments'])


def measurement_of(fields, masked):
    parts = some(fields, ['result', 'metricId'])
    if 'metric' in fields:
        parts['metric'] = metric.Metric(**fields['metric'])
    if 'calculatedBy' in fields:
        parts['calculatedBy'] = resource_of(fields['calculatedBy'], masked)
    return measurement.Measurement(**parts)


def step_of(fields, masked):
    parts = some(fields, ['role', 'reporterTime', 'reporterId'])
    if 'reporter' in fields:
        parts['reporter'] = resource_of(fields['reporter'], masked)
    return reporterstep.Reporterstep(**parts)


def event_of(fields, masked):
    """An Event. `masked`: tokens are so already, because the event has travelled."""
    parts = {name: resource_of(fields[name], masked) for name in ('initiator', 'target', 'observer') if name in fields}
    if 'reason' in fields:
        parts['reason'] = reason.Reason(**fields['reason'])
    made = event.Event(**some(fields, EVENT), **parts)
    for each in fields.get('tags', []):
        made.add_tag(each)
    for each in fields.get('measurements', []):
        made.add_measurement(measurement_of(each, masked))
    for each in fields.get('attachments', []):
        made.add_attachment(attachment.Attachment(**each))
    for each in fields.get('reporterchain', []):
        made.add_reporterstep(step_of(each, masked))
    if 'requestPath' in fields:
        made.requestPath = fields['requestPath']
    return made
