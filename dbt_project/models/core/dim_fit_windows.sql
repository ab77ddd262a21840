{# `all` looks at every day up to as_of; `calibration` stops earlier and has the rest to predict. #}
with
    as_of as (select * from {{ ref("dim_as_of") }}),

    measured as (
        select
            as_of,
            cast(
                ceil(
                    {{ days_between("data_start_date", "as_of") }}
                    * {{ var("holdout_share") }}
                ) as integer
            ) as holdout_days
        from as_of
    ),

    final as (
        select
            'all' as fit_window,
            as_of as window_end_date,
            as_of,
            cast({{ var("prediction_days") }} as integer) as horizon_days,
            cast({{ var("clv_months") }} as integer) as clv_months,
            cast(
                {{ var("yearly_discount_rate") }} as decimal(18, 8)
            ) as yearly_discount_rate
        from measured
        where as_of is not null
        union all
        select
            'calibration' as fit_window,
            {{ add_days("as_of", "-holdout_days") }} as window_end_date,
            as_of,
            holdout_days as horizon_days,
            cast({{ var("clv_months") }} as integer) as clv_months,
            cast(
                {{ var("yearly_discount_rate") }} as decimal(18, 8)
            ) as yearly_discount_rate
        from measured
        where holdout_days > 0
    )

select *
from final
