{{ current_rows("survey_brand_ratings", ref("stg_survey_brand_ratings__ratings")) }}
