with
    metrics as (select * from {{ ref("dim_metrics") }}),

    final as (
        select
            metric_key,
            metric_id,
            name_en,
            name_zh,
            model_name,
            column_name,
            definition,
            unit_test,
            model_name is not null as is_answered,
            reason
        from metrics
    )

select *
from final
