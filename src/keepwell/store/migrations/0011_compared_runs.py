"""Which runs began while others were held out, and when the goal held, on both sides."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0010_waiting_events"),
    ]

    operations = [
        migrations.AddField(
            model_name="playbookheldout", name="reached_on", field=models.DateField(blank=True, null=True)
        ),
        migrations.AddField(model_name="playbookrun", name="compared", field=models.BooleanField(default=False)),
        migrations.AddField(model_name="playbookrun", name="reached_on", field=models.DateField(blank=True, null=True)),
    ]
