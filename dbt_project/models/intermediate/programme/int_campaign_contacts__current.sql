{{ current_rows("campaign_contacts", ref("stg_campaign_contacts__contacts")) }}
