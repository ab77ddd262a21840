with
    catalogue as (select * from {{ ref("metric_catalogue") }}),

    final as (
        select
            {{ made_key(["id", "model", adapter.quote("column"), "reason"]) }}
            as metric_key,
            id as metric_id,
            name_en,
            name_zh,
            model as model_name,
            {{ adapter.quote("column") }} as column_name,
            definition,
            definition_zh,
            unit_test,
            model is not null as is_answered,
            reason,
            reason_zh
        from catalogue
    )

select *
from final
